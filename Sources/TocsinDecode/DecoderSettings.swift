/// How one source's bytes are to be read: what sources carry about, since decoders themselves belong to one task.
public struct DecoderSettings: Sendable {
    public var format: InputFormat
    public var mapping: InputMapping
    public var limits: DecodeLimits

    public init(
        format: InputFormat = .auto, mapping: InputMapping = InputMapping(), limits: DecodeLimits = DecodeLimits()
    ) {
        self.format = format
        self.mapping = mapping
        self.limits = limits
    }

    public func makeDecoder() -> EventDecoder { EventDecoder(format: format, mapping: mapping, limits: limits) }

    public func makeAssembler() -> ChunkAssembler { ChunkAssembler(format: format, limits: limits) }
}
