public import TocsinCore

/// Everything that is wrong with a configuration, in the order of file lines, environment, flags.
public struct ConfigurationErrors: Error, Sendable, CustomStringConvertible {
    /// At least one; each with its place and, where there is one, a remedy.
    public let problems: [TocsinError]

    public var description: String {
        let title =
            problems.count == 1
            ? "The configuration has an error:" : "The configuration has \(problems.count) errors:"
        return ([title] + problems.map { "- \($0)" }).joined(separator: "\n")
    }
}

/// A problem while it is collected: sorted by where it comes from.
struct ConfigurationProblem {
    var message: String
    var origin: Origin?
    /// Stands for `origin` where only a file as a whole can be named.
    var place: String?
    var remedy: String?

    init(_ message: String, at origin: Origin? = nil, place: String? = nil, remedy: String? = nil) {
        self.message = message
        self.origin = origin
        self.place = place
        self.remedy = remedy
    }

    var error: TocsinError {
        let shownPlace = origin == .default ? nil : origin?.description
        return TocsinError(.configuration, message, place: place ?? shownPlace, remedy: remedy)
    }

    /// Files first, by line; then environment and flags, by name.
    static func precedes(_ left: ConfigurationProblem, _ right: ConfigurationProblem) -> Bool {
        if left.rank != right.rank { return left.rank < right.rank }
        if case .file(_, let leftLine) = left.origin, case .file(_, let rightLine) = right.origin {
            return leftLine < rightLine
        }
        return (left.origin?.description ?? "") < (right.origin?.description ?? "")
    }

    private var rank: Int {
        switch origin {
        case nil: place == nil ? 4 : 0
        case .file: 1
        case .environment, .environmentFile: 2
        case .flag: 3
        case .default: 4
        }
    }
}
