#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// A throw-away certificate for localhost, valid for a hundred years and trusted by nobody. Made by
/// `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=localhost`.
enum TestCertificate {
  static let certificate = """
    -----BEGIN CERTIFICATE-----
    MIIBnDCCAUGgAwIBAgIUYaEcyGP0aIMgWDD7++kMTG/2gqcwCgYIKoZIzj0EAwIw
    FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMTEzMDcwOVoYDzIxMjYxMDI4
    MTMwNzA5WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
    PQMBBwNCAASJQ5BZFOAFe3BXrHKwf7R6WAdRocprAoEK1wN3bd5sp5WTBTERcisa
    z3Wz5lkRF96ar4nFEHCcmaoGGVP94GQoo28wbTAdBgNVHQ4EFgQUgiKRQnbYPI/5
    5QSCFQKNR4AhG50wHwYDVR0jBBgwFoAUgiKRQnbYPI/55QSCFQKNR4AhG50wDwYD
    VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
    zj0EAwIDSQAwRgIhAJFNNWKutHDHGVZa7L/L8K/0ei6YlNtBLlXJsV87Exf8AiEA
    xl7YU+xv9cAmqrWinAV0sxV5oO49iGACSHLgemN3sRg=
    -----END CERTIFICATE-----

    """

  static let key = """
    -----BEGIN PRIVATE KEY-----
    MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgkD9jkrs4Tp1cKBBA
    /9OsziWEDoo3nqKa3U/iZN1XlCyhRANCAASJQ5BZFOAFe3BXrHKwf7R6WAdRocpr
    AoEK1wN3bd5sp5WTBTERcisaz3Wz5lkRF96ar4nFEHCcmaoGGVP94GQo
    -----END PRIVATE KEY-----

    """

  /// Writes a text to a new file in the temporary folder; false when that fails.
  static func write(_ text: String, to path: String) -> Bool {
    guard let file = fopen(path, "w") else { return false }
    defer { fclose(file) }
    return fputs(text, file) >= 0
  }

  static func remove(_ path: String) { unlink(path) }
}
