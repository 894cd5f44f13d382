#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif
internal import TocsinConnectors
public import TocsinCore
public import TocsinMeasure
internal import TocsinSimulator

/// The files that a benchmark reads: a folder that is there, or made by the simulator.
public struct ReadingFiles: Sendable {
    public let paths: [String]
    public let bytes: Int64

    /// The files in a folder, or one file; plain JSON or CSV, not packed.
    /// - Throws: `TocsinError(.file)` when there is none.
    public init(at path: String) throws(TocsinError) {
        paths = try FolderListing.files(at: path)
        if let packed = paths.first(where: { $0.hasSuffix(".gz") }) {
            throw TocsinError(
                .file, "the benchmark reads plain files", place: packed, remedy: "unpack it: gzip -dk \(packed)")
        }
        bytes = paths.reduce(0) { $0 + FolderListing.size(of: $1) }
    }

    /// Makes `readings` JSON lines of `sensors` thermometers, one reading a second each, without faults, in files of
    /// about 500,000 lines in `folder`. The same arguments give the same bytes.
    /// - Throws: `TocsinError` when the folder cannot be written to.
    public static func generate(
        readings: Int, sensors: Int, seed: UInt64, in folder: String, progress: ProgressLine?
    ) throws(TocsinError) -> ReadingFiles {
        var settings = SimulatorSettings(profile: .fleet, seed: seed)
        settings.sensors = sensors
        settings.injections = []
        settings.anomalyRate = 0
        var simulator = try Simulator(settings)
        var left = readings
        var number = 0
        var chunk: [UInt8] = []
        while left > 0 {
            let digits = String(number)
            let path = folder + "/part-" + String(repeating: "0", count: max(0, 3 - digits.count)) + digits + ".json"
            guard let file = fopen(path, "w") else { throw failure(path) }
            var inFile = min(left, linesPerFile)
            while inFile > 0 {
                chunk.removeAll(keepingCapacity: true)
                let made = simulator.next(into: &chunk, maxEvents: min(inFile, 10_000)).events
                guard made > 0, fwrite(chunk, 1, chunk.count, file) == chunk.count else {
                    fclose(file)
                    throw failure(path)
                }
                inFile -= made
                left -= made
            }
            guard fclose(file) == 0 else { throw failure(path) }
            number += 1
            progress?("making readings, \(Figure.grouped(readings - left)) of \(Figure.grouped(readings))")
        }
        return try ReadingFiles(at: folder)
    }

    private static let linesPerFile = 500_000

    private static func failure(_ path: String) -> TocsinError {
        TocsinError(
            .file, "cannot write the readings: \(String(cString: strerror(errno)))", place: path,
            remedy: "give --input, or free some space in the folder for temporary files (TMPDIR)")
    }

    /// Hands out a file in chunks.
    static func read(
        _ path: String, chunkBytes: Int = 1 << 20, _ body: (consuming [UInt8]) throws -> Void
    ) throws {
        guard let file = fopen(path, "r") else {
            throw TocsinError(.file, "cannot read the file: \(String(cString: strerror(errno)))", place: path)
        }
        defer { fclose(file) }
        while true {
            let chunk = [UInt8](unsafeUninitializedCapacity: chunkBytes) { buffer, count in
                count = fread(buffer.baseAddress, 1, chunkBytes, file)
            }
            guard !chunk.isEmpty else { return }
            try body(chunk)
        }
    }
}
