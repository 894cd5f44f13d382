package import TocsinCore
internal import TocsinMeasure

/// The same figure of several runs.
package struct Spread: Sendable, Equatable {
    package private(set) var values: [Double]

    package init(_ values: [Double] = []) { self.values = values }

    package mutating func add(_ value: Double) { values.append(value) }

    /// The upper one of two in the middle; 0 when empty.
    package var median: Double { values.isEmpty ? 0 : values.sorted()[values.count / 2] }
    package var least: Double { values.min() ?? 0 }
    package var most: Double { values.max() ?? 0 }

    /// `431,000 (420,000 to 433,000)`; of one run its figure alone.
    package func text(digits: Int = 0) -> String {
        let middle = Figure.decimal(median, digits: digits)
        guard values.count > 1 else { return middle }
        return "\(middle) (\(Figure.decimal(least, digits: digits)) to \(Figure.decimal(most, digits: digits)))"
    }

    /// `{"median": …, "least": …, "most": …}` under a name.
    package func write(_ name: String, to json: inout JSONWriter) {
        json.key(name)
        json.object {
            $0.field("median", median)
            $0.field("least", least)
            $0.field("most", most)
        }
    }
}
