/// How one source's messages are to be read: what transports carry about, since decoders themselves belong to one task.
public struct MessageDecoderSettings: Sendable {
    public var form: PayloadForm
    /// For JSON, CSV, Avro and Protobuf: which field is what. A time that is nowhere in the payload is the broker's.
    public var mapping: InputMapping
    public var limits: DecodeLimits
    /// The header of CSV messages that hold rows only; nil where each brings its own.
    public var csvHeader: String?
    /// The unit of the times in line protocol.
    public var influxPrecision: InfluxPrecision
    /// Tags of line protocol that name the sensor: the first one present wins; without any the measurement does.
    public var influxSensorTags: [String]
    /// Tags of line protocol that belong to the metric's name, `usage_idle{cpu=cpu0}`: for agents whose series of one
    /// sensor differ by them alone. `_measurement` stands for the measurement: `cpu.usage_idle`.
    public var influxMetricTags: [String]
    /// Attributes of OpenTelemetry data points and resources that name the sensor: the first one found wins.
    public var sensorAttributes: [String]
    /// What a Sparkplug host keeps of edge nodes at most.
    public var sparkplugLimits: SparkplugLimits
    /// Where schemas come from; nil without a registry.
    public var schemas: (any SchemaFetching)?
    /// Told of values that are no readings; nil = nobody counts.
    public var skipped: SkippedValues?

    public init(
        form: PayloadForm = .auto, mapping: InputMapping = InputMapping(), limits: DecodeLimits = DecodeLimits(),
        csvHeader: String? = nil, influxPrecision: InfluxPrecision = .nanoseconds,
        influxSensorTags: [String] = InfluxLines.sensorTags, influxMetricTags: [String] = [],
        sensorAttributes: [String] = OTLPNames.sensorAttributes,
        sparkplugLimits: SparkplugLimits = SparkplugLimits(), schemas: (any SchemaFetching)? = nil
    ) {
        self.form = form
        self.mapping = mapping
        self.limits = limits
        self.csvHeader = csvHeader
        self.influxPrecision = influxPrecision
        self.influxSensorTags = influxSensorTags
        self.influxMetricTags = influxMetricTags
        self.sensorAttributes = sensorAttributes
        self.sparkplugLimits = sparkplugLimits
        self.schemas = schemas
    }

    public func makeDecoder() -> MessageDecoder { MessageDecoder(self) }
}
