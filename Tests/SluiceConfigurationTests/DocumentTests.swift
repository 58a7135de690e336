import SluiceConfiguration
import Testing

/// Syntax, bounds and the mistakes that YAML invites.
struct DocumentTests {
  private func parse(
    _ text: String, _ limits: DocumentLimits = DocumentLimits()
  ) -> (node: DocumentNode?, problems: [String]) {
    var problems = ProblemList()
    let node = DocumentParser.parse(text, file: "f", limits: limits, problems: &problems)
    return (node, problems.sorted.map(\.description))
  }

  @Test func everyNodeKnowsItsPlace() throws {
    let node = try #require(parse("a:\n  - b: 1\n    ç: {d: x}\n").node)
    let item = try #require(node["a"]).content
    guard case .sequence(let items) = item, case .mapping(let entries) = items[0].content else {
      Issue.record("not a list of mappings")
      return
    }
    #expect(items[0].position == SourcePosition(file: "f", line: 2, column: 5))
    #expect(entries[1].keyPosition == SourcePosition(file: "f", line: 3, column: 5))
    #expect(entries[1].value["d"]?.position == SourcePosition(file: "f", line: 3, column: 12))
  }

  @Test func emptyFilesAreEmptyMappings() {
    for text in ["", "\n", "# nothing\n"] {
      let (node, problems) = parse(text)
      #expect(node != nil)
      #expect(problems.isEmpty)
    }
  }

  @Test func aliasesAndMergesAreExpanded() throws {
    let node = try #require(
      parse("base: &b {x: 1, y: 2}\none: {<<: *b, y: 3}\ntwo: {<<: [*b, {z: 4}]}\nthree: *b\n").node)
    func text(_ path: String...) -> String? {
      var node: DocumentNode? = node
      for key in path { node = node?[key] }
      if case .scalar(let scalar)? = node?.content { return scalar.text }
      return nil
    }
    #expect(text("one", "x") == "1")
    #expect(text("one", "y") == "3")
    #expect(text("two", "z") == "4")
    #expect(text("three", "y") == "2")
  }

  @Test func duplicatesAreAllReportedWithTheSecondPlace() {
    let text = """
      a: 1
      b:
        c: 1
        d: {x: [1,
          2]}
        "c": 2
      a: 2
      e: 1
      a: 3
      """
    #expect(
      parse(text).problems == [
        "f:6:3: error: the key 'c' appears twice (first in line 3)",
        "f:7:1: error: the key 'a' appears twice (first in line 1)",
        "f:9:1: error: the key 'a' appears twice (first in line 1)",
      ])
    #expect(parse("{a: 1, a: 2}").problems == ["f:1:2: error: the key 'a' appears twice"])
  }

  /// Twice in different mappings is once in each.
  @Test func equalKeysElsewhereAreNoDuplicates() {
    #expect(parse("a:\n  x: 1\nb:\n  x: 1\nc:\n  - x: 1\n  - x: 1\n").problems.isEmpty)
  }

  @Test func duplicatesDoNotHideOtherProblems() {
    let problems = World().problems(poolFile("fallback: direct", "fallback: none", "zzzzz: 1"))
    #expect(problems.count == 2)
    #expect(problems.first == "sluice.yaml:6:5: error: the key 'fallback' appears twice (first in line 5)")
    #expect(problems.last?.hasPrefix("sluice.yaml:7:5: error: unknown key 'zzzzz'") == true)
  }

  @Test(arguments: [
    ("a: {k: ${VAR}}", 1, 8), ("a: [${VAR}]", 1, 5), ("x: 1\na: {k: \"${OK}\",\n  l: ${VAR:-x}}\n", 3, 6),
  ])
  func unquotedVariablesAreExplained(_ text: String, _ line: Int, _ column: Int) {
    #expect(
      parse(text).problems == ["f:\(line):\(column): error: inside {…} or […] a variable must be quoted: \"${NAME}\""])
  }

  @Test func syntaxErrorsHaveAPlace() throws {
    let problem = try #require(parse("a: 1\nb: [1, 2\nc: 3\n").problems.first)
    #expect(problem.hasPrefix("f:3:"))
    #expect(problem.contains("error: not valid YAML: "))
    #expect(parse("a: \"\\q\"").problems.first?.hasPrefix("f:1:") == true)
    #expect(parse("a: 1\nb: \u{0}").problems.first?.contains("not valid YAML") == true)
    #expect(parse("a: *nowhere").problems.first?.contains("undefined alias") == true)
    #expect(parse("a: 1\n---\nb: 1").problems.first?.contains("another document") == true)
  }

  @Test func billionLaughsAreBounded() {
    var text = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n"
    for level in 1...12 {
      let alias = "*a\(level - 1)"
      text += "a\(level): &a\(level) [\(Array(repeating: alias, count: 10).joined(separator: ","))]\n"
    }
    let problems = parse(text).problems
    #expect(problems.count == 1)
    #expect(problems.first?.contains("values once its aliases are expanded") == true)
  }

  @Test(arguments: ["? *a\n: 1", "*a : 1", "b: {*a : 1}", "b: {? *a : 1}"])
  func aliasesAsKeysAreRefused(_ line: String) {
    #expect(parse("x: &a [1]\n\(line)\n").problems == ["f:1:1: error: aliases cannot be used as keys"])
  }

  @Test func numberOfAliasesIsBounded() {
    var limits = DocumentLimits()
    limits.aliases = 3
    let text = "x: &a 1\ny: [*a, *a, *a]\n"
    #expect(parse(text, limits).problems.isEmpty)
    #expect(parse(text + "z: *a\n", limits).problems == ["f:1:1: error: the file has more than 3 aliases"])
  }

  @Test(arguments: [
    "# really ? see *notes*\na: 1\n", "a: 1 # a ? b *c: d\n", "a: \"really ? see *notes*: x\"\n",
    "x: &a 1\n# really ? see *notes*\ny: *a # ? *b: c\n",
  ])
  func wordsOfPeopleAreNoAliases(_ text: String) { #expect(parse(text).problems.isEmpty) }

  /// A `#` inside of a quoted text that goes over lines begins no comment, so what follows counts.
  @Test func whatOnlyLooksLikeACommentHidesNothing() {
    let text = "x: &a [1]\ny: {z: \"b\n  # c\", *a : 1}\n"
    #expect(parse(text).problems == ["f:1:1: error: aliases cannot be used as keys"])
  }

  @Test func starsInTextAreNoAliases() {
    #expect(parse("a: \"*\"\nb: [\"x *y: z\", gpt-*]\n").problems.isEmpty)
  }

  @Test func depthIsBounded() {
    let deep = String(repeating: "[", count: 70) + String(repeating: "]", count: 70)
    #expect(parse("a: \(deep)").problems.first?.contains("nested deeper than 64 levels") == true)
    let deeper = String(repeating: "[", count: 5000)
    #expect(parse("a: \(deeper)").problems.count == 1)
  }

  @Test func sizeIsBounded() {
    var limits = DocumentLimits()
    limits.bytes = 10
    #expect(parse("a: 1234567", limits).problems.isEmpty)
    #expect(parse("a: 12345678", limits).problems == ["f:1:1: error: the file is larger than 10B"])
  }

  @Test func keysMustBeNames() {
    #expect(parse("? [a]\n: 1\n").problems == ["f:1:3: error: keys must be plain names"])
    #expect(parse("a: {<<: 1}").problems == ["f:1:9: error: '<<' merges a mapping or a list of mappings"])
  }

  @Test func filesAreReadWithinBounds() throws {
    var world = World(files: ["dir/sluice.yaml": poolFile("tls_ca: ca.pem"), "dir/ca.pem": "x"])
    let loaded = try? SluiceConfigurationFile.load(path: "dir/sluice.yaml", options: world.options).get()
    #expect(loaded?.path == "dir/sluice.yaml")
    #expect(loaded?.dependencies == ["dir/ca.pem"])
    let secret = poolFile("tls_ca: ca.pem").replacing("${KEY}", with: "${file:key}${file:/abs}")
    let both = World(files: ["dir/sluice.yaml": secret, "dir/ca.pem": "x", "dir/key": "sk-1", "/abs": "2"])
    #expect(
      try SluiceConfigurationFile.load(path: "dir/sluice.yaml", options: both.options).get().dependencies
        == ["dir/key", "/abs", "dir/ca.pem"], "rotated secrets are read again")
    #expect(loaded?.configuration.pools.first?.transport.authorities == "dir/ca.pem")
    world.files = [:]
    #expect(throws: ConfigurationProblems.self) {
      try SluiceConfigurationFile.load(path: "none.yaml", options: world.options).get()
    }
  }

  @Test func onlyRegularFilesAreRead() {
    #expect(FileAccess.system.read("/dev/zero", 10) == .failure(FileProblem("is not a regular file")))
    #expect(FileAccess.system.read("/", 10) == .failure(FileProblem("is not a regular file")))
    #expect(FileAccess.system.read("/nonexistent/x", 10) == .failure(.missing))
    #expect(FileAccess.system.read(#filePath, 10) == .failure(FileProblem("is larger than 10B")))
    #expect((try? FileAccess.system.read(#filePath, 1 << 20).get())?.isEmpty == false)
  }
}
