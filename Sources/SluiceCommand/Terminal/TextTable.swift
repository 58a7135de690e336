/// Columns that line up. Widths count characters, not styling, so cells are styled after padding.
struct TextTable {
  enum Alignment { case left, right }

  struct Column {
    var title: String
    var alignment: Alignment = .left
  }

  private let columns: [Column]
  private var rows: [[String]] = []

  init(_ columns: [Column]) { self.columns = columns }

  mutating func add(_ cells: String...) { rows.append(cells) }

  /// The lines of the table; `style` may colour a padded cell, given its row, column and plain text.
  func lines(style: (Int, Int, String) -> String = { _, _, text in text }) -> [String] {
    let widths = columns.indices.map { index in
      max(columns[index].title.count, rows.map { $0[index].count }.max() ?? 0)
    }
    let header = columns.indices.map { pad(columns[$0].title, widths[$0], columns[$0].alignment) }
    let body = rows.enumerated().map { row, cells in
      cells.indices.map { style(row, $0, pad(cells[$0], widths[$0], columns[$0].alignment)) }
    }
    return ([header] + body).map { line in
      var text = line.joined(separator: "  ")
      while text.last == " " { text.removeLast() }
      return text
    }
  }

  private func pad(_ text: String, _ width: Int, _ alignment: Alignment) -> String {
    let space = String(repeating: " ", count: max(0, width - text.count))
    return alignment == .left ? text + space : space + text
  }
}
