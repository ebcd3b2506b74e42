"""Floor plans, cameras, slots, planograms, products and prices, as stores deliver them."""
