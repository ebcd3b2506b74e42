"""The landing folder: what a store may deliver, how it is read and refused."""
