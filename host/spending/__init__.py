"""What models cost: prices, what each group has spent and may spend, and what people are told of it."""
