/// Throw-away certificates for loopback, valid for a hundred years and trusted by nobody. Made by
/// `openssl ecparam -name prime256v1 -genkey`, `openssl req -x509` for the authority and `openssl x509 -req` with
/// `subjectAltName` for the other two.
enum TestCertificates {
  /// Signed the others.
  static let authority = """
    -----BEGIN CERTIFICATE-----
    MIIBpzCCAU2gAwIBAgIUcgKbXSNUCxKQ8/rkFVG3Giqnp78wCgYIKoZIzj0EAwIw
    IDEeMBwGA1UEAwwVU2x1aWNlIHRlc3QgYXV0aG9yaXR5MCAXDTI2MTEyMTEyMjk0
    NloYDzIxMjYxMDI4MTIyOTQ2WjAgMR4wHAYDVQQDDBVTbHVpY2UgdGVzdCBhdXRo
    b3JpdHkwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAATVAi8Olttp+cZ+/CioH7eZ
    ehZSs1PaQHAxAw7SJ3zgtgBuZYV1Ageohn3+e4ur2c53BWz8Qxn7iV1WjBKEtOdk
    o2MwYTAdBgNVHQ4EFgQUH/kHU+Ewj3JgHeoPVqHSWMdDwWIwHwYDVR0jBBgwFoAU
    H/kHU+Ewj3JgHeoPVqHSWMdDwWIwDwYDVR0TAQH/BAUwAwEB/zAOBgNVHQ8BAf8E
    BAMCAgQwCgYIKoZIzj0EAwIDSAAwRQIhAN5y0FoxrMO65ENoItT+5QkaXA/u0EEq
    9cZ781/ukIT+AiBZiGh4v6oH/wzTxbcLSDkuL2oX8B4lcUND5jFm0iEGNA==
    -----END CERTIFICATE-----
    """

  /// For `localhost` and 127.0.0.1.
  static let localhost = """
    -----BEGIN CERTIFICATE-----
    MIIBtjCCAVygAwIBAgIUcGqm3wXn38XL2+W4eQaAZXBbGFUwCgYIKoZIzj0EAwIw
    IDEeMBwGA1UEAwwVU2x1aWNlIHRlc3QgYXV0aG9yaXR5MCAXDTI2MTEyMTEyMjk0
    NloYDzIxMjYxMDI4MTIyOTQ2WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcq
    hkjOPQIBBggqhkjOPQMBBwNCAAQ2jQHUx6Zfs7hrhNGtAwKA3RhVdAFz+zEZmwDx
    tr5TQpJYI5mkKGpFw3zOP8PQWheJoIG6cus+uVhSrTbICZjCo34wfDAaBgNVHREE
    EzARgglsb2NhbGhvc3SHBH8AAAEwCQYDVR0TBAIwADATBgNVHSUEDDAKBggrBgEF
    BQcDATAdBgNVHQ4EFgQUE9tQuswQA/dCzx1M1RFV/uGa7f8wHwYDVR0jBBgwFoAU
    H/kHU+Ewj3JgHeoPVqHSWMdDwWIwCgYIKoZIzj0EAwIDSAAwRQIgRn2G6sqAx/ru
    nI6InhBynQhXEcPirV0kZqJQLcFRQ4gCIQCtp6rrrmxn6l2F/8o7Uz2nv3eo+iz7
    XAYzwyLcbxFo7A==
    -----END CERTIFICATE-----
    """

  /// Its key.
  static let localhostKey = """
    -----BEGIN PRIVATE KEY-----
    MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgxXl4SIaK2qzHVv7R
    O80qdqqhQTXKOLxIqP8PvTCXC6ShRANCAAQ2jQHUx6Zfs7hrhNGtAwKA3RhVdAFz
    +zEZmwDxtr5TQpJYI5mkKGpFw3zOP8PQWheJoIG6cus+uVhSrTbICZjC
    -----END PRIVATE KEY-----
    """

  /// For `other.example`.
  static let other = """
    -----BEGIN CERTIFICATE-----
    MIIBrzCCAVagAwIBAgIUcGqm3wXn38XL2+W4eQaAZXBbGFYwCgYIKoZIzj0EAwIw
    IDEeMBwGA1UEAwwVU2x1aWNlIHRlc3QgYXV0aG9yaXR5MCAXDTI2MTEyMTEyMjk0
    NloYDzIxMjYxMDI4MTIyOTQ2WjAQMQ4wDAYDVQQDDAVvdGhlcjBZMBMGByqGSM49
    AgEGCCqGSM49AwEHA0IABHQbiYfarJjH5VaR7n+U1gDE4dnfXvghmBpxTHw8X1WR
    86338BsUyPty7LlojyBd0LRNNt5fpE2fkfmKUja1kPWjfDB6MBgGA1UdEQQRMA+C
    DW90aGVyLmV4YW1wbGUwCQYDVR0TBAIwADATBgNVHSUEDDAKBggrBgEFBQcDATAd
    BgNVHQ4EFgQUJUWodnju+jA+L+maE1EU7fVN1igwHwYDVR0jBBgwFoAUH/kHU+Ew
    j3JgHeoPVqHSWMdDwWIwCgYIKoZIzj0EAwIDRwAwRAIgSQVsvQQfrQDSZcHC5nUY
    npwra4IaB5REC6SuX1toJH4CIFARujuQBeQ0xWsKGMAbr46V2ZklsGMU9JMDF7A2
    m4bX
    -----END CERTIFICATE-----
    """

  /// Its key.
  static let otherKey = """
    -----BEGIN PRIVATE KEY-----
    MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg19B6bXiF1MDJ+09g
    hZMfA5U9RAT1lZvrI4iuAjV1hTyhRANCAAR0G4mH2qyYx+VWke5/lNYAxOHZ3174
    IZgacUx8PF9VkfOt9/AbFMj7cuy5aI8gXdC0TTbeX6RNn5H5ilI2tZD1
    -----END PRIVATE KEY-----
    """
}
