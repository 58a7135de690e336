import NIOCore
import NIOHTTP2
import SluiceDialects
import SluicePolicy

/// The codec of frames below a connection, with our bounds.
enum HTTP2Codec {
  static func make(_ options: HTTPConnectionOptions) -> NIOHTTP2Handler {
    let bounds = options.http2
    let window = TimeAmount.nanoseconds(bounds.rateWindow.nanoseconds)
    var connection = NIOHTTP2Handler.ConnectionConfiguration()
    connection.initialSettings = [
      HTTP2Setting(parameter: .enablePush, value: 0),
      HTTP2Setting(parameter: .initialWindowSize, value: bounds.streamWindow),
      HTTP2Setting(parameter: .maxHeaderListSize, value: options.limits.maxHeadBytes),
    ]
    connection.maximumSequentialEmptyDataFrames = bounds.maxEmptyFrames
    connection.maximumSequentialContinuationFrames = bounds.maxContinuations
    // Frames on their way to a stream that we have cancelled are no fault of the peer.
    connection.maximumRecentlyResetStreams = bounds.maxStreams
    connection.controlFrameRateLimit.maximumCount = bounds.maxControlFrames
    connection.controlFrameRateLimit.windowLength = window
    var stream = NIOHTTP2Handler.StreamConfiguration()
    stream.streamResetFrameRateLimit.maximumCount = bounds.maxResets
    stream.streamResetFrameRateLimit.windowLength = window
    return NIOHTTP2Handler(
      mode: .client, frameDelegate: nil, connectionConfiguration: connection, streamConfiguration: stream)
  }
}
