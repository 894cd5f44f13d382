/// How often each true kind was found as each kind: rows are the truth, columns what was found.
public struct ConfusionMatrix: Equatable, Sendable {
    /// Names of the kinds, in the order of rows and columns.
    public let kinds: [String]
    /// `counts[true kind * kinds.count + found kind]`.
    public private(set) var counts: [Int]

    public init(kinds: [String]) {
        self.kinds = kinds
        counts = Array(repeating: 0, count: kinds.count * kinds.count)
    }

    /// Adds `times` cases; kinds outside the table are ignored.
    public mutating func add(truth: Int, found: Int, times: Int = 1) {
        guard kinds.indices.contains(truth), kinds.indices.contains(found) else { return }
        counts[truth * kinds.count + found] += times
    }

    /// Adds one case by name; names outside the table are ignored.
    public mutating func add(truth: String, found: String) {
        guard let row = kinds.firstIndex(of: truth), let column = kinds.firstIndex(of: found) else { return }
        add(truth: row, found: column)
    }

    public subscript(truth: Int, found: Int) -> Int {
        guard kinds.indices.contains(truth), kinds.indices.contains(found) else { return 0 }
        return counts[truth * kinds.count + found]
    }

    /// All cases.
    public var total: Int { counts.reduce(0, +) }

    /// Of the cases found as `kind`, the share that was it, 0...1; 0 when none was found.
    public func precision(_ kind: Int) -> Double {
        ratio(self[kind, kind], kinds.indices.reduce(0) { $0 + self[$1, kind] })
    }

    /// Of the cases of `kind`, the share found as it, 0...1; 0 when there was none.
    public func recall(_ kind: Int) -> Double {
        ratio(self[kind, kind], kinds.indices.reduce(0) { $0 + self[kind, $1] })
    }

    /// Harmonic mean of precision and recall of `kind`, 0...1.
    public func f1(_ kind: Int) -> Double {
        let both = precision(kind) + recall(kind)
        return both > 0 ? 2 * precision(kind) * recall(kind) / both : 0
    }

    /// The share of cases on the diagonal, 0...1.
    public var accuracy: Double { ratio(kinds.indices.reduce(0) { $0 + self[$1, $1] }, total) }

    private func ratio(_ part: Int, _ whole: Int) -> Double { whole > 0 ? Double(part) / Double(whole) : 0 }
}
