// SluiceDialects
