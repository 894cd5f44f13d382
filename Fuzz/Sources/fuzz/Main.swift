internal import CFuzzer
internal import Glibc
internal import TocsinDecode

/// `fuzz TARGET [libFuzzer's arguments]`, or `fuzz TARGET --seeds FOLDER` to write the seeds that are no text.
@main
enum Fuzz {
    nonisolated(unsafe) private static var target = Target.json

    static func main() {
        let arguments = CommandLine.arguments
        guard arguments.count > 1, let chosen = Target(rawValue: arguments[1]) else {
            let names = Target.allCases.map(\.rawValue).joined(separator: ", ")
            print("Say which target: \(names).")
            exit(2)
        }
        target = chosen
        if arguments.count == 4, arguments[2] == "--seeds" {
            write(chosen.seeds, to: arguments[3])
            return
        }
        let others = [arguments[0]] + arguments.dropFirst(2)
        var count = Int32(others.count)
        var pointers: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = .allocate(capacity: others.count + 1)
        for (index, argument) in others.enumerated() { pointers?[index] = strdup(argument) }
        pointers?[others.count] = nil
        exit(
            LLVMFuzzerRunDriver(&count, &pointers) { data, size in
                Fuzz.target.run(Array(UnsafeBufferPointer(start: data, count: data == nil ? 0 : size)))
                return 0
            })
    }

    private static func write(_ seeds: [[UInt8]], to folder: String) {
        for (number, seed) in seeds.enumerated() {
            guard let file = fopen("\(folder)/seed-\(number)", "w") else { continue }
            _ = fwrite(seed, 1, seed.count, file)
            fclose(file)
        }
    }
}

/// What is fuzzed, each by its input's own grammar: see the file of the same name.
enum Target: String, CaseIterable {
    case json, csv, body, spool, checkpoint, model, windows, models, sensors, desk
    case messages, senml, cbor, sparkplug, influx, otlp, otlpjson, avro, protobuf, schemas

    /// Of the targets that read messages.
    private var form: PayloadForm? {
        switch self {
        case .messages: .auto
        case .senml: .senmlJSON
        case .cbor: .senmlCBOR
        case .sparkplug: .sparkplugB
        case .influx: .influx
        case .otlp: .otlpProtobuf
        case .otlpjson: .otlpJSON
        case .avro: .avro
        case .protobuf: .protobuf
        default: nil
        }
    }

    func run(_ input: [UInt8]) {
        switch self {
        case .json: Decoding.stream(input, .json)
        case .csv: Decoding.stream(input, .csv)
        case .body: Decoding.body(input)
        case .spool: SpoolTarget.run(input)
        case .checkpoint: CheckpointTarget.run(input)
        case .model: ModelTarget.run(input)
        case .windows: WindowColumns.run(input)
        case .models: SavedModels.run(input)
        case .sensors: SensorStates.run(input)
        case .desk: DeskTarget.run(input)
        case .schemas: MessageTarget.schema(input)
        case .messages, .senml, .cbor, .sparkplug, .influx, .otlp, .otlpjson, .avro, .protobuf:
            if let form { MessageTarget.run(input, form) }
        }
    }

    var seeds: [[UInt8]] {
        switch self {
        case .json, .csv, .body: []
        case .spool: SpoolTarget.seeds
        case .checkpoint: CheckpointTarget.seeds
        case .model: ModelTarget.seeds
        case .windows: WindowColumns.seeds
        case .models: SavedModels.seeds
        case .sensors: SensorStates.seeds
        case .desk: DeskTarget.seeds
        case .schemas: MessageSeeds.schemas
        case .messages, .senml, .cbor, .sparkplug, .influx, .otlp, .otlpjson, .avro, .protobuf:
            form.map(MessageSeeds.seeds) ?? []
        }
    }
}
