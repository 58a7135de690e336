/// One server-sent event. Its memory belongs to the parser or to the piece being read: valid only inside the callback.
@unsafe
package struct SSEEvent {
  /// The `event:` field, nil when there was none or it was empty (its type is then `message`).
  package let name: UnsafeRawBufferPointer?
  /// The `data:` lines, joined by line feeds.
  package let data: UnsafeRawBufferPointer
  /// The `id:` field of this event.
  package let id: UnsafeRawBufferPointer?
  /// Offset behind the event's empty line in the piece: all before it is complete.
  package let end: Int

  /// OpenAI's end mark.
  package var isDone: Bool {
    let mark: StaticString = "[DONE]"
    return unsafe data.count == mark.utf8CodeUnitCount && data.elementsEqual(mark.utf8Bytes)
  }

  /// Whether the event's name is `name`.
  package func isNamed(_ name: StaticString) -> Bool {
    guard let own = unsafe self.name else { return false }
    return unsafe own.count == name.utf8CodeUnitCount && own.elementsEqual(name.utf8Bytes)
  }
}

extension StaticString {
  /// The bytes of the literal, which live as long as the program.
  var utf8Bytes: UnsafeRawBufferPointer {
    unsafe UnsafeRawBufferPointer(start: utf8Start, count: utf8CodeUnitCount)
  }
}

/// Why a stream is given up.
package enum SSEError: String, Error, Hashable, Sendable {
  /// One event (or one line) is longer than the bound.
  case eventTooLarge = "event_too_large"
}
