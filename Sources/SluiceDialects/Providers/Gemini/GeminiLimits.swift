package import SluicePolicy

extension Gemini {
  /// Paid tiers begin there; the provider sends no headers that would tell.
  package static let defaultRequestsPerMinute = 1000

  /// Quotas of the day come back at midnight in California, but the delay that comes with them may be seconds.
  private static let dailyWait: Interval = .seconds(3600)

  /// `RetryInfo.retryDelay`.
  package static func wait(in error: ProviderErrorBody) -> Interval? {
    let told = error.retryDelay.flatMap { text in Array(text.utf8).withSlice { HintText.goDuration($0) } }
    guard let quota = error.detailCode, quota.contains("PerDay") else { return told }
    return max(told ?? dailyWait, dailyWait)
  }
}
