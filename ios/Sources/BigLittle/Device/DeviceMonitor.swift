#if canImport(UIKit)
  import BigLittleBindings
  import Foundation

  /// Tells an engine how the phone is: battery, charger, low-power mode and heat.
  ///
  /// A complete reading is pushed when the monitor starts, whenever iOS tells of a
  /// change, and every `interval`, since a value that is not repeated for two
  /// minutes counts as unknown. While it runs, the battery is monitored; afterwards
  /// `UIDevice.isBatteryMonitoringEnabled` is what it was before. No permission is
  /// needed.
  ///
  /// ```swift
  /// let monitor = DeviceMonitor()
  /// monitor.start(engine)
  /// ```
  @MainActor
  public final class DeviceMonitor {
    private let interval: Duration
    private var run: Run?

    /// A monitor that is not yet running.
    ///
    /// - Parameter interval: From one complete reading to the next; 10 seconds suit
    ///   the policy. At least a millisecond, at most a year.
    nonisolated public init(interval: Duration = .seconds(10)) {
      // A timer without a pause would keep the main actor busy.
      self.interval = min(max(interval, .milliseconds(1)), .oneYear)
    }

    /// Pushes readings to `engine`, until ``stop()`` or until this monitor is gone.
    ///
    /// - Parameters:
    ///   - engine: What adapts. It is not kept alive; once closed, it takes no more.
    ///   - recorder: Gets every reading as well, for a recording to replay later.
    public func start(_ engine: BigLittle, recorder: DeviceTraceRecorder? = nil) {
      start { [weak engine] reading in
        try? engine?.push(reading)
        recorder?.record(reading)
      }
    }

    /// Hands readings to `push`, on the main actor. A monitor that runs starts anew.
    public func start(push: @escaping @MainActor @Sendable (DeviceReading) -> Void) {
      stop()
      run = Run(interval: interval, push: push)
    }

    /// Pushes no more, and leaves the phone as it was found. Needless to call twice.
    public func stop() {
      run?.stop()
      run = nil
    }

    deinit {
      // Sensors belong to the main actor, and a deinit to no one.
      let run = self.run
      Task { @MainActor in run?.stop() }
    }
  }

  /// From `start` to `stop`.
  @MainActor
  private final class Run {
    private let push: @MainActor @Sendable (DeviceReading) -> Void
    private var sensors: DeviceSensors?
    private var timer: Task<Void, Never>?

    init(interval: Duration, push: @escaping @MainActor @Sendable (DeviceReading) -> Void) {
      self.push = push
      sensors = DeviceSensors { [weak self] in self?.read() }
      read()
      timer = Task { [weak self] in
        while (try? await Task.sleep(for: interval)) != nil {
          self?.read()
        }
      }
    }

    private func read() {
      if let sensors { push(sensors.read()) }
    }

    func stop() {
      timer?.cancel()
      sensors?.stop()
      sensors = nil
    }
  }
#endif
