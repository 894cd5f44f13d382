internal import TocsinCore

/// The schemas that messages have named, each compiled once into a program.
///
/// Each message is decoded by the schema that it was written by, so that writers of several versions live together.
struct SchemaStore {
    private enum Entry {
        case avro(AvroProgram)
        case protobuf(ProtobufProgram)
        case json
        /// Why it cannot be used.
        case failed(RegisteredSchema.Kind, String)
        case absent
        /// The registry cannot give it, and waiting does not help.
        case refused(String)
    }

    /// Schemas kept; more empty the store.
    static let mostSchemas = 2_000
    /// Schemas fetched for one batch.
    static let mostFetched = 1_000
    /// Batches after which the registry is asked again for a schema that it did not have, or could not give.
    private static let patience = 256

    private let plan: FieldPlan
    private var entries: [UInt32: Entry] = [:]
    /// By schema: where its names stand in the side texts of the current batch.
    private var bases: [UInt32: Int] = [:]
    private var record: FieldRecord
    private var fetches = 0

    init(_ plan: FieldPlan) {
        self.plan = plan
        record = FieldRecord(plan)
    }

    mutating func beginBatch() { bases.removeAll(keepingCapacity: true) }

    /// Those of the ids named by a batch that are to be fetched, in their order. Makes room for them.
    mutating func missing(_ named: Set<UInt32>) -> [UInt32] {
        fetches += 1
        if fetches >= Self.patience {
            fetches = 0
            for (id, entry) in entries {
                switch entry {
                case .absent, .refused: entries[id] = nil
                case .avro, .protobuf, .json, .failed: break
                }
            }
        }
        var missing = named.filter { entries[$0] == nil }
        if entries.count + missing.count > Self.mostSchemas {
            entries.removeAll()
            missing = named
        }
        return missing.sorted()
    }

    mutating func learn(_ id: UInt32, _ schema: RegisteredSchema?) {
        guard let schema else {
            entries[id] = .absent
            return
        }
        do throws(DecodeFault) {
            switch schema.kind {
            case .json: entries[id] = .json
            case .avro: entries[id] = .avro(try AvroProgram(schema, plan))
            case .protobuf: entries[id] = .protobuf(try ProtobufProgram(schema, plan))
            }
        } catch {
            entries[id] = .failed(schema.kind, error.detail)
        }
    }

    mutating func learn(_ id: UInt32, refusal: String) { entries[id] = .refused(refusal) }

    func kind(of id: UInt32) throws(DecodeFault) -> RegisteredSchema.Kind {
        switch entries[id] {
        case .avro: return .avro
        case .protobuf: return .protobuf
        case .json: return .json
        case .failed(let kind, _): return kind
        case .refused(let reason): throw .malformed("has the schema id \(id), which cannot be had: \(reason)")
        case .absent, nil: throw .malformed("has the schema id \(id), which the registry does not know")
        }
    }

    /// Decodes a message with its framing.
    mutating func decode(
        _ bytes: Span<UInt8>, _ range: Range<Int>, _ columns: inout MessageColumns
    ) throws(DecodeFault) {
        let id = try SchemaFraming.id(bytes, range)
        let content = range.dropFirst(SchemaFraming.length)
        guard let entry = entries[id] else { throw .malformed("has the schema id \(id), which is not known") }
        do throws(DecodeFault) {
            switch entry {
            case .avro(let program):
                record.begin(base(of: id, program.slots, &columns), columns)
                try program.decode(bytes, content, &record, &columns)
                try record.finish(program.slots, bytes, &columns)
            case .protobuf(let program):
                record.begin(base(of: id, program.slots, &columns), columns)
                try program.decode(bytes, content, &record, &columns)
                try record.finish(program.slots, bytes, &columns)
            case .failed(_, let fault): throw .malformed("cannot be read, because the schema \(fault)")
            case .json, .absent, .refused: throw .malformed("has a schema that is none of Avro or Protobuf")
            }
        } catch {
            throw DecodeFault(error.reason, "with the schema id \(id) \(error.detail)")
        }
    }

    private mutating func base(of id: UInt32, _ slots: FieldSlots, _ columns: inout MessageColumns) -> Int {
        if let known = bases[id] { return known }
        let base = columns.side.count
        columns.side.append(contentsOf: slots.names)
        bases[id] = base
        return base
    }
}
