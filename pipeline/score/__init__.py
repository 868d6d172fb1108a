"""Apply: models, calibration, master scale, limit, reasons, alerts, the scored book."""
