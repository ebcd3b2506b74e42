"""Pictures of a store's floor."""
