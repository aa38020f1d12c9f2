"""Agents: who they are, whether they live, who may write to them, and whose id nobody else may use."""
