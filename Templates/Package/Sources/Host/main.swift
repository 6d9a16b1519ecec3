import HostKit

Host.main(plugins: plugins)
