// SluiceAdmin
