/// What `--version`, `/health` and the dashboard say.
enum SluiceVersion {
  static let current = "0.1.0"
}
