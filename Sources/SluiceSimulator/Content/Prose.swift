/// Writes plain sentences of a wanted length about what was asked.
enum Prose {
  private static let sentences: [(text: String, tokens: Int)] = texts.map { (" " + $0, TokenRule.count(" " + $0)) }

  private static let texts = [
    "The short answer depends on what you want to measure first.",
    "Start with the simplest version that can be checked, then change one thing at a time.",
    "Most of the cost is in opening a connection, so keep the ones you have.",
    "A small sample is usually enough to see the shape of the problem.",
    "It helps to write down what you expect before you look at the numbers.",
    "Two approaches are common, and both work when the load is even.",
    "If the queue grows, either the work is slower than before or there is more of it.",
    "Retries help with short interruptions and make long ones worse.",
    "Keep the limits where everybody can see them.",
    "A clear error is worth more than a quick guess.",
    "The second attempt should go somewhere else than the first.",
    "Averages hide the slow requests, so look at the slowest percent as well.",
    "Once that is in place, the remaining steps are routine.",
    "There is one exception, and it matters only under heavy load.",
    "Measure again after the change, with the same input.",
    "In practice the difference is smaller than it looks on paper.",
    "That is the main idea; the details follow from it.",
    "When in doubt, prefer the option that is easier to undo.",
  ]

  static func answer(about question: String, tokens: Int, random: inout SeededRandom) -> String {
    var text = opening(question)
    var length = TokenRule.count(text)
    var last = -1
    while length < tokens {
      var choice = random.below(sentences.count)
      // The same sentence twice in a row reads like a fault.
      if choice == last { choice = (choice + 1) % sentences.count }
      last = choice
      text += sentences[choice].text
      length += sentences[choice].tokens
    }
    return length > tokens ? TokenRule.prefix(text, tokens: max(1, tokens)) : text
  }

  static func thought(about question: String, random: inout SeededRandom) -> String {
    "The question is about \(subject(question))." + sentences[random.below(sentences.count)].text
  }

  private static func opening(_ question: String) -> String {
    question.isEmpty ? "Here is an answer." : "About \(subject(question)):"
  }

  /// The first words of the question, without what would not read well inside a sentence.
  private static func subject(_ question: String) -> String {
    var text = String.UnicodeScalarView()
    var words = 1
    var kept = 0
    for scalar in question.unicodeScalars.prefix(200) {
      switch scalar {
      case " ", "\n", "\r", "\t":
        guard let last = text.last, last != " " else { continue }
        words += 1
        if words <= 6 { text.append(" ") }
      case "\"", "\\", "[", "]", "{", "}": continue
      default: text.append(scalar)
      }
      kept += 1
      if words > 6 || kept >= 60 { break }
    }
    while text.last == " " { text.removeLast() }
    return text.isEmpty ? "that" : "“\(String(text))”"
  }
}
