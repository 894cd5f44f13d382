public import TocsinCore

/// The last rows of one series: what a sequence model needs of a stream.
///
/// ```swift
/// buffer.append(row)
/// if buffer.isFull { buffer.appendSequence(to: &batch) }
/// ```
/// 8 bytes a value: 2.4 kB for 50 rows of 6.
public struct SequenceBuffer: Sendable, Equatable {
    public let steps: Int
    public let features: Int
    private var values: [Double]
    /// Rows held, at most `steps`.
    public private(set) var count = 0
    /// Where the next row goes.
    private var next = 0

    public init(steps: Int, features: Int) {
        precondition(steps > 0 && features > 0, "a sequence has rows and features")
        self.steps = steps
        self.features = features
        values = Array(repeating: 0, count: steps * features)
    }

    public init(for model: SequenceAutoencoder) {
        self.init(steps: model.shape.steps, features: model.shape.features)
    }

    public var isFull: Bool { count == steps }

    /// Takes a row of `features` values; a full buffer forgets its oldest.
    public mutating func append(_ row: [Double]) {
        precondition(row.count == features, "a row of \(features) values")
        for feature in 0..<features { values[next * features + feature] = row[feature] }
        next = next + 1 == steps ? 0 : next + 1
        count = min(count + 1, steps)
    }

    /// Forgets all rows: after a gap a sequence starts anew.
    public mutating func removeAll() {
        count = 0
        next = 0
    }

    /// Appends the rows, oldest first, to a batch for `SequenceAutoencoder.score(batch:)`; nothing unless full.
    public func appendSequence(to batch: inout [Double]) {
        guard isFull else { return }
        batch.append(contentsOf: values[(next * features)...])
        batch.append(contentsOf: values[..<(next * features)])
    }

    /// Writes the rows, oldest first.
    public func save(_ writer: inout StateWriter) {
        writer.write(UInt32(steps))
        writer.write(UInt32(features))
        writer.write(UInt32(count))
        for row in 0..<count {
            let place = (next - count + row + steps) % steps * features
            for value in values[place..<place + features] { writer.write(value) }
        }
    }

    /// Reads what `save` wrote; nil for anything else, and for another length or width than `steps` and `features`.
    public init?(_ reader: inout StateReader, steps: Int, features: Int) {
        guard steps > 0, features > 0, let savedSteps = reader.read(UInt32.self),
            let savedFeatures = reader.read(UInt32.self), let count = reader.read(UInt32.self),
            Int(savedSteps) == steps, Int(savedFeatures) == features, Int(count) <= steps,
            reader.remaining >= Int(count) * features * 8
        else { return nil }
        self.init(steps: steps, features: features)
        var row = [Double](repeating: 0, count: features)
        for _ in 0..<count {
            for feature in 0..<features {
                guard let value = reader.readDouble() else { return nil }
                row[feature] = value
            }
            append(row)
        }
    }
}
