"""Items for others: files in the formats that analysts read."""
