"""JSON values as a JavaScript peer understands and prints them."""
