"""The customer’s personal cabinet and the public way to start a request."""
