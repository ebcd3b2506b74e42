"""What each visit carried out."""
