"""The demo economy: firms with a latent credit quality, the ledger they leave behind, and each one's true PD."""
