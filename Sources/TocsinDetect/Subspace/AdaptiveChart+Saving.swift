public import TocsinCore

extension AdaptiveChart {
    /// 1: without the palettes of the metrics; it is read too.
    private static let version: UInt8 = 2

    /// Writes model and place: a restored chart answers as this one would.
    public func save(to writer: inout StateWriter) {
        writer.write(Self.version)
        writer.write(UInt16(width))
        for number in [
            settings.span, settings.wander, settings.shrinkage, settings.limit, settings.release, settings.memory,
            settings.priorWeight,
        ] { writer.write(number) }
        writer.write(UInt32(clamping: settings.learningRows))
        writer.write(UInt32(clamping: settings.acceptance))
        writer.write(column: first)
        writer.write(model != nil)
        model?.save(to: &writer)
    }

    /// nil for bytes that `save` did not write.
    public init?(restoring reader: inout StateReader) {
        guard let version = reader.read(UInt8.self), (1...Self.version).contains(version),
            let width = reader.read(UInt16.self), (1...1024).contains(width),
            let span = reader.readDouble(), let wander = reader.readDouble(), let shrinkage = reader.readDouble(),
            let limit = reader.readDouble(), let release = reader.readDouble(), let memory = reader.readDouble(),
            let priorWeight = reader.readDouble(), let learningRows = reader.read(UInt32.self),
            let acceptance = reader.read(UInt32.self), let first = reader.readColumn(of: Double.self),
            first.count % Int(width) == 0, let hasModel = reader.readFlag()
        else { return nil }
        var settings = Settings()
        (settings.span, settings.wander, settings.shrinkage) = (span, wander, shrinkage)
        (settings.limit, settings.release, settings.memory) = (limit, release, memory)
        (settings.priorWeight, settings.learningRows) = (priorWeight, Int(learningRows))
        settings.acceptance = Int(acceptance)
        guard [span, wander, limit, release, memory, priorWeight].allSatisfy({ $0.isFinite && abs($0) < 1e12 }) else {
            return nil
        }
        self.init(width: Int(width), settings: settings)
        self.first = first
        guard hasModel else { return }
        guard let model = ChartModel(restoring: &reader, width: Int(width), hasPalettes: version > 1) else {
            return nil
        }
        self.model = model
    }
}

extension ChartModel {
    func save(to writer: inout StateWriter) {
        scaler.save(to: &writer)
        palettes.save(to: &writer)
        average.save(to: &writer)
        for column in [mean, deviations, distance, blockSum] { writer.write(column: column) }
        for matrix in [covariance, between, precision] { writer.write(column: matrix.elements) }
        writer.write(limit)
        writer.write(weight)
        for number in [blockLength, blockRows, sinceRefresh, alarmRows] { writer.write(UInt64(max(number, 0))) }
        writer.write(isAlarm)
        // The waiting rows alone, oldest first.
        writer.write(UInt8(waitingRows))
        for row in 0..<waitingRows {
            let start = stride * ((firstWaiting + row) % AdaptiveChart.mostDelay)
            for offset in 0..<stride { writer.write(waiting[start + offset]) }
        }
    }

    init?(restoring reader: inout StateReader, width: Int, hasPalettes: Bool) {
        guard let scaler = RowScaler(restoring: &reader), scaler.width == width,
            let palettes = hasPalettes
                ? ValuePalettes(restoring: &reader, width: width) : ValuePalettes.quantities(width: width),
            let average = ShiftingAverage(restoring: &reader, width: width),
            let columns = Self.columns(&reader, of: width, within: [1e12, 1e9, 1e12, 1e18]),
            let matrices = Self.columns(&reader, of: width * width, within: [1e60, 1e60, 1e60]),
            let limit = reader.readDouble(), limit > 0,
            limit.isFinite, let weight = reader.readDouble(), weight >= 1, weight < 1e12,
            let counters = Self.counters(&reader), let isAlarm = reader.readFlag(),
            let waitingRows = reader.read(UInt8.self), waitingRows < AdaptiveChart.mostDelay,
            columns[1].allSatisfy({ $0 > 0 })
        else { return nil }
        self.width = width
        self.palettes = palettes
        (self.scaler, self.average, self.limit, self.weight) = (scaler, average, limit, weight)
        (mean, deviations, distance, blockSum) = (columns[0], columns[1], columns[2], columns[3])
        products = .init(repeating: 0, count: width)
        covariance = SymmetricMatrix(size: width)
        (between, precision) = (covariance, covariance)
        (covariance.elements, between.elements, precision.elements) = (matrices[0], matrices[1], matrices[2])
        (blockLength, blockRows) = (counters[0], counters[1])
        (sinceRefresh, alarmRows) = (counters[2], counters[3])
        self.isAlarm = isAlarm
        self.waitingRows = Int(waitingRows)
        waiting = .init(repeating: 0, count: (2 * width + 1) * AdaptiveChart.mostDelay)
        for place in 0..<(2 * width + 1) * Int(waitingRows) {
            // Behind a row's values and distances stands its statistic, which may be large.
            let bound: Float = place % (2 * width + 1) == 2 * width ? .greatestFiniteMagnitude : 1e12
            guard let number = reader.readFloat(), abs(number) <= bound else { return nil }
            waiting[place] = number
        }
        statistic = squaredDistance()
    }

    /// One column for each bound of its numbers: far beyond what a chart comes to, and small enough that going on from
    /// there overflows nothing.
    private static func columns(_ reader: inout StateReader, of size: Int, within bounds: [Double]) -> [[Double]]? {
        var columns: [[Double]] = []
        for bound in bounds {
            guard let column = reader.readColumn(of: Double.self), column.count == size,
                column.allSatisfy({ abs($0) <= bound })
            else { return nil }
            columns.append(column)
        }
        return columns
    }

    private static func counters(_ reader: inout StateReader) -> [Int]? {
        var counters: [Int] = []
        for _ in 0..<4 {
            guard let number = reader.read(UInt64.self), number <= 1 << 40 else { return nil }
            counters.append(Int(number))
        }
        return counters[0] >= 1 ? counters : nil
    }
}
