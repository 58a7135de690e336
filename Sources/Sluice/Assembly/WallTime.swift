import Foundation
import SluiceDialects

/// The wall clock, for dates that cross the network.
enum WallTime {
  static func now() -> UnixTime { UnixTime(milliseconds: Int64(Date().timeIntervalSince1970 * 1000)) }
}
