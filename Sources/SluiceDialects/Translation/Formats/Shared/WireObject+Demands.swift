/// What has to be there, and within its bounds.
extension WireObject {
  func has(_ name: String) -> Bool { self[name] != nil }

  /// A refusal that names the field before what is wrong with it.
  func fault(_ name: String, _ phrase: String) -> TranslationRefusal {
    refusal(name, "'\(place(name))': \(phrase)")
  }

  func requiredObject(_ name: String) throws(TranslationRefusal) -> WireObject {
    guard let object = try object(name) else { throw fault(name, "is missing") }
    return object
  }

  func integer(_ name: String, in range: ClosedRange<Int>) throws(TranslationRefusal) -> Int? {
    guard let number = try integer(name) else { return nil }
    guard range.contains(number) else { throw fault(name, "is out of range") }
    return number
  }

  func number(_ name: String, in range: ClosedRange<Double>) throws(TranslationRefusal) -> Double? {
    guard let number = try number(name) else { return nil }
    guard range.contains(number) else { throw fault(name, "is out of range") }
    return number
  }
}
