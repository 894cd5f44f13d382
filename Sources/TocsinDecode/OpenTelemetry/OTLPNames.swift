/// What OpenTelemetry calls the things that are sensors here.
public enum OTLPNames {
    /// Attributes that name the sensor, of the data point or else of its resource; the first one found wins.
    public static let sensorAttributes = [
        "sensor_id", "sensor.id", "device.id", "device_id", "service.instance.id", "host.name", "service.name",
    ]
}
