internal import TocsinConnectors
internal import TocsinCore
internal import TocsinDecode
internal import TocsinEvaluation
public import TocsinJobs

/// How `tocsin score` works through a file.
public enum ScoringChoice: Sendable, Equatable {
    /// Row by row, as the engine would.
    case byRow(ScoringDetector)
    /// By a detector of `EvaluatedDetector.all`, fitted on the first rows of each sensor.
    case byRecording(String)

    /// Every name that there is.
    public static var names: [String] {
        ScoringDetector.allCases.map(\.rawValue)
            + EvaluatedDetector.all.filter(\.isCausal).map(\.name).filter { ScoringDetector(rawValue: $0) == nil }
    }

    public var name: String {
        switch self {
        case .byRow(let detector): detector.rawValue
        case .byRecording(let name): name
        }
    }

    /// nil for a name that there is not.
    public init?(name: String) {
        if let detector = ScoringDetector(rawValue: name) {
            self = .byRow(detector)
        } else if EvaluatedDetector.all.contains(where: { $0.name == name && $0.isCausal }) {
            self = .byRecording(name)
        } else {
            return nil
        }
    }
}

/// `tocsin score`: one output row per input row, in order: `time,score,p_value,is_anomaly,kind`.
public struct ScoreRun: Sendable {
    public struct Options: Sendable {
        public var path: String
        public var timeColumn: String
        public var valueColumns: [String]
        public var groupColumn: String?
        public var detector: ScoringChoice
        public var trainRows: Int
        /// A model file of `tocsin train --out`; nil = the forest learns from the input.
        public var modelPath: String?
        /// `-` is standard output.
        public var output: String
        /// File of a picture; nil = none.
        public var plot: String?

        public init(
            path: String, timeColumn: String, valueColumns: [String], groupColumn: String?,
            detector: ScoringChoice, trainRows: Int, modelPath: String? = nil, output: String, plot: String? = nil
        ) {
            self.path = path
            self.timeColumn = timeColumn
            self.valueColumns = valueColumns
            self.groupColumn = groupColumn
            self.detector = detector
            self.trainRows = trainRows
            self.modelPath = modelPath
            self.output = output
            self.plot = plot
        }
    }

    public struct Summary: Sendable {
        public var rows = 0
        public var anomalous = 0
        /// Rows that could not be read: their output row has no score.
        public var unreadable = 0
        /// Why, for the first few.
        public var problems: [String] = []
    }

    private let options: Options
    private static let chunkBytes = 1 << 20

    public init(_ options: Options) { self.options = options }

    /// - Throws: `TocsinError` when the file cannot be read, is no CSV, or lacks a named column, or when the output is the
    ///   same file; the output is then left as it was.
    public func run() throws -> Summary {
        let table = SeriesTable()
        let settings = DecoderSettings(
            format: .csv,
            mapping: InputMapping(
                sensor: options.groupColumn, time: options.timeColumn, values: options.valueColumns,
                defaultSensor: FolderListing.stem(of: options.path)))
        if let plot = options.plot { try PictureFile.check(plot) }
        try checkHeader()
        let file = try OpenFile(path: options.path)
        var scoring = try BatchScoring(
            options: options, model: try options.modelPath.map(OpenFile.contents), table: table)
        let output = try makeOutput()
        var assembler = settings.makeAssembler()
        var decoder = settings.makeDecoder()
        var rows = CSVRows()
        var text = Array("time,score,p_value,is_anomaly,kind\n".utf8)
        func take(_ runs: [InputRun]) throws {
            for run in runs {
                let origin = Origin(
                    source: SourceID(0), sourceName: options.path, position: 0, received: Timestamp(nanoseconds: 0))
                let batch = decoder.decode(run, origin: origin, table: table)
                try scoring.score(batch, rows: rows.take(batch.bytes), into: &text)
                try output.write(text)
                text.removeAll(keepingCapacity: true)
            }
        }
        while let chunk = try file.read(limit: Self.chunkBytes) { try take(assembler.append(chunk)) }
        try take(assembler.finish())
        try scoring.finish(into: &text)
        try output.write(text)
        return scoring.summary
    }

    /// Empties the output file: call when nothing can be wrong with the input any more.
    private func makeOutput() throws -> FileWriter {
        guard options.output != "-" else { return FileWriter.standardOutput }
        if let output = FileIdentity(path: options.output), output == FileIdentity(path: options.path) {
            throw TocsinError(
                .usage, "the output would be written over the input", place: options.output,
                remedy: "give --out another file")
        }
        return try FileWriter(path: options.output)
    }

    /// A column that is not there would make every row unreadable: one clear error is better.
    private func checkHeader() throws {
        let file = try OpenFile(path: options.path)
        guard options.path != "-", let chunk = try file.read(limit: Self.chunkBytes) else {
            if options.path == "-" { return }
            throw TocsinError(
                .format, "the file is empty", place: options.path, remedy: "give a CSV file with a header")
        }
        let line = String(decoding: chunk.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
        let known = line.split { $0 == "," || $0 == ";" || $0 == "\t" }.map {
            $0.filter { $0 != "\"" && $0 != "\r" && $0 != "\u{FEFF}" }.lowercased()
        }
        for column in [options.timeColumn] + options.valueColumns + (options.groupColumn.map { [$0] } ?? []) {
            guard Int(column) == nil, !known.contains(column.lowercased()) else { continue }
            throw TocsinError(
                .usage, "there is no column '\(column)'", place: options.path,
                remedy: "the header has: \(known.joined(separator: ", "))")
        }
    }
}
