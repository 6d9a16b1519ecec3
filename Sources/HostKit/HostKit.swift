// HostKit
