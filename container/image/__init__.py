"""What runs inside the container: the byte bridge and the small local agent. Standard library only."""
