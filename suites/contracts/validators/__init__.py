"""What others say about our documents: the judges of those who write the specifications."""
