"""The way out: a CONNECT proxy to the hosts an owner allowed a group, and to nothing else."""
