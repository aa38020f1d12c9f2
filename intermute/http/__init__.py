"""The service on HTTP and WebSocket: requests in, JSON out."""
