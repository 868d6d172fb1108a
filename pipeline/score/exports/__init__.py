"""A card in the forms other systems and people read: JSON, SQL, PMML, Excel, Markdown; each scores as the card does."""
