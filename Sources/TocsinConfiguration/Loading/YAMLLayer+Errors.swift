internal import Yams

extension YAMLLayer {
    /// What the parser found, as a sentence, and the line.
    static func describe(_ error: any Error, _ text: String) -> (message: String, line: Int) {
        switch error as? YamlError {
        case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
            .composer(let context, let problem, let mark, _):
            let around = context.map { " (\($0.text) from line \($0.mark.line) on)" } ?? ""
            return ("not valid YAML: \(problem)\(around)", max(1, mark.line))
        case .reader(let problem, let offset, _, _):
            let before = text.utf8.prefix(offset ?? 0)
            return ("not valid YAML: \(problem)", 1 + before.count { $0 == UInt8(ascii: "\n") })
        case .duplicatedKeysInMapping(let names, let context):
            let shown = names.prefix(3).map { "`\($0.prefix(60))`" }.joined(separator: ", ")
            return ("the key \(shown) stands twice in one group", max(1, context.mark.line))
        default:
            return ("not valid YAML", 1)
        }
    }

    /// The most common slip has its own advice.
    static func remedy(line: Int, of text: String) -> String? {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        let around = lines.indices.filter { abs($0 + 1 - line) <= 1 }
        let hasTab = around.contains { lines[$0].prefix { $0 == " " || $0 == "\t" }.contains("\t") }
        return hasTab ? "indent with spaces: YAML does not allow tabs there" : nil
    }
}
