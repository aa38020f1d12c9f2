"""What an agent may call, judged and recorded before it is executed."""
