"""What runs inside a container: standard library only, imported by nothing outside but tests."""
