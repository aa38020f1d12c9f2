"""The coordination service: who works on what. Agents, messages, file reservations, work entities."""
