// SluiceConfiguration
