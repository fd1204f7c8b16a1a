# Copyright (c) hanet_mm contributors. All rights reserved.
