/// How many single-character changes lead from one word to another, swaps of neighbours counting as one
/// (optimal string alignment, after Damerau 1964). O(n·m) in the lengths.
enum EditDistance {
    static func between(_ left: String, _ right: String) -> Int {
        let (a, b) = (Array(left.utf8), Array(right.utf8))
        guard !a.isEmpty, !b.isEmpty else { return max(a.count, b.count) }
        var beforePrevious = [Int](repeating: 0, count: b.count + 1)
        var previous = Array(0...b.count)
        for i in 1...a.count {
            var current = [i] + [Int](repeating: 0, count: b.count)
            for j in 1...b.count {
                let substitution = previous[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)
                current[j] = min(previous[j] + 1, current[j - 1] + 1, substitution)
                if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] {
                    current[j] = min(current[j], beforePrevious[j - 2] + 1)
                }
            }
            (beforePrevious, previous) = (previous, current)
        }
        return previous[b.count]
    }

    /// The candidate nearest to `word`, case, `_` and `-` aside; nil when none is near (within a third of its length).
    static func nearest(to word: String, in candidates: some Sequence<String>) -> String? {
        let wanted = normalized(word)
        let allowed = max(1, wanted.utf8.count / 3)
        guard wanted.utf8.count <= 100 else { return nil }
        return candidates.lazy.map { (distance: between(wanted, normalized($0)), name: $0) }
            .filter { $0.distance <= allowed }
            .min { ($0.distance, $0.name) < ($1.distance, $1.name) }?.name
    }

    private static func normalized(_ word: String) -> String { word.lowercased().filter { $0 != "_" && $0 != "-" } }
}
