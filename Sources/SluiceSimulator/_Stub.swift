// SluiceSimulator
