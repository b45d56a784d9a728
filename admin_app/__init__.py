"""The admin UI: message groups and conversations in the browser, over :mod:`core`."""
