package import SluicePolicy

extension Gemini {
  /// The model list costs nothing and proves name, TLS and key; one model is enough.
  package static func probe(_ options: ProviderOptions) -> ProbeCall {
    var target: [UInt8] = [Ascii.slash]
    PercentText.append(version(options), to: &target)
    return ProbeCall(String(decoding: target, as: UTF8.self) + "/models?pageSize=1")
  }

  /// A bad key is a 400 here.
  package static func probeVerdict(status: Int, _ body: ByteSlice) -> FailureClass? {
    guard status == 400 else { return nil }
    return verdict(status: status, ProviderErrorBody.read(body)).failureClass == .credential ? .credential : nil
  }
}
