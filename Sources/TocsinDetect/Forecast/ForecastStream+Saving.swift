internal import TocsinCore

extension ForecastStream {
    private static let envelope = ModelEnvelope(
        magic: "TOCSINFC", version: 1, kind: "forecast", format: "forecast 1")
    private static let longestSeason: UInt64 = 1 << 20

    /// The whole state in a checked envelope.
    public func saved() -> [UInt8] {
        Self.envelope.wrap { writer in
            writer.write(step.nanoseconds)
            writer.write(coverage)
            writer.write(varint: UInt64(horizonSlots))
            writer.write(slot)
            writer.write(end)
            for number in [endValue, sum, count] { writer.write(number) }
            writer.write(column: sizes)
            writer.write(column: band.lower)
            writer.write(column: band.upper)
            writer.write(column: pending)
            switch model {
            case .naive(let model):
                writer.write(UInt8(0))
                writer.write(varint: UInt64(model.position))
                writer.write(column: model.ring)
            case .holtWinters(let model):
                writer.write(UInt8(1))
                writer.write(varint: UInt64(model.state.position))
                writer.write(column: model.seasons)
                let parameters = model.parameters
                let state = model.state
                for number in [
                    parameters.level, parameters.trend, parameters.season, parameters.damping, parameters.correlation,
                    state.level, state.trend, state.error, state.scale,
                ] { writer.write(number) }
            }
        }
    }

    /// - Throws: `TocsinError(.model)` saying what is wrong: foreign bytes, another version, cut off, damaged.
    public init(saved bytes: [UInt8]) throws { self = try Self.envelope.unwrap(bytes, Self.read) }

    private static func read(_ reader: inout StateReader) -> ForecastStream? {
        guard let step = reader.read(Int64.self), step > 0, let coverage = reader.readDouble(),
            (0.5...0.999).contains(coverage), let slots = reader.readVarint(), (1...4032).contains(slots),
            let slot = reader.read(Int64.self), slot >= 0, let end = reader.readTimestamp(),
            let endValue = reader.readDouble(), let sum = reader.readDouble(), sum.isFinite,
            let count = reader.readDouble(), count.isFinite, let sizes = reader.readColumn(of: Double.self),
            let lower = reader.readColumn(of: Double.self), let upper = reader.readColumn(of: Double.self),
            let pending = reader.readColumn(of: Double.self), let model = model(&reader)
        else { return nil }
        // The horizons follow from the last one, so none that does not fit can be read.
        let horizons = BackTest.horizons(to: Int(slots))
        guard sizes.count == horizons.count, lower.count == horizons.count, upper.count == horizons.count,
            pending.count == horizons.reduce(0, +), (sizes + lower + upper).allSatisfy(\.isFinite)
        else { return nil }
        return ForecastStream(
            step: Span64(nanoseconds: step), coverage: coverage, horizonSlots: Int(slots), model: model,
            band: ConformalBand(horizons: horizons, lower: lower, upper: upper), sizes: sizes, pending: pending,
            slot: slot, end: end, endValue: endValue, sum: sum, count: count)
    }

    private static func model(_ reader: inout StateReader) -> ForecastModel? {
        guard let kind = reader.read(UInt8.self), kind < 2, let position = reader.readVarint(),
            position < longestSeason, let column = reader.readColumn(of: Double.self), !column.isEmpty,
            column.count <= longestSeason, Int(position) < column.count
        else { return nil }
        if kind == 0 { return .naive(SeasonalNaive(ring: column, position: Int(position))) }
        var numbers: [Double] = []
        for _ in 0..<9 {
            guard let number = reader.readDouble(), number.isFinite else { return nil }
            numbers.append(number)
        }
        guard column.allSatisfy(\.isFinite), numbers[..<5].allSatisfy({ (0...1).contains($0) }), numbers[8] >= 0 else {
            return nil
        }
        return .holtWinters(
            HoltWinters(
                parameters: .init(
                    level: numbers[0], trend: numbers[1], season: numbers[2], damping: numbers[3],
                    correlation: numbers[4]),
                state: .init(
                    level: numbers[5], trend: numbers[6], error: numbers[7], scale: numbers[8], position: Int(position)),
                seasons: column))
    }
}
